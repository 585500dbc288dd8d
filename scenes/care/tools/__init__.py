"""Tools a robot holds, one file each: what touches, what it weighs, how it looks."""
