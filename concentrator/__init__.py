"""CcMaster: a multi-protocol energy concentrator on Twisted."""

__version__ = "0.1.0"
