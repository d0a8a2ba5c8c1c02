"""The source that an image is built from: a tree of files, from a tag or from a folder with changes."""
