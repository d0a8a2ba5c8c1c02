"""What Azure or Entra would refuse in the middle of a deployment, asked before it begins."""
