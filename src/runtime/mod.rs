//! Threads, signals, fork, descriptors.
