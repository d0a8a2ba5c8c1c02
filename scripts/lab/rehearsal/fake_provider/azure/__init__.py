"""Azure as the azurerm provider meets it."""
