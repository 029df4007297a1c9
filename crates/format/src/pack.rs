//! A pack: one stored object of many sealed frames and a sealed table of what they hold.
