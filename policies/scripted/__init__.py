"""Scripted controllers."""
