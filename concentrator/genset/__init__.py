"""Gensets: the box as the cloud modem of a genset controller."""
