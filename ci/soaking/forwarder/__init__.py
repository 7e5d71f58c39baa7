"""The forwarder with a sink of each kind, while it, its daemons and the sinks' servers fail."""
