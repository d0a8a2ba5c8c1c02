"""`llmctl disks`: the data disks, and what keeps pods from them."""
