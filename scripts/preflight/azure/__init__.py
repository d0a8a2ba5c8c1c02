"""Checks of what Azure has, allows and already holds: sizes, quota, names, permissions, policies, regions."""
