"""Where replies are kept: adapters of `gateway.ports.ReplyCache`."""
