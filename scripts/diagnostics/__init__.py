"""What somebody who is asked for help wants to see of an installation, without what is nobody else's business."""
