"""The wire: what stands in the bytes of requests and replies, and the few bytes we may change.

The client's bytes are the client's. A reader looks and never rewrites; whatever routing must
change is spliced, and every byte around the splice stays as it came. Nothing here does I/O.

    body       read a request; splice model and stream_options, cut our own knobs
    wishes     what the caller may say: headers, caching, openrouter; their values
    api        the routed APIs, and what differs between them
    chat       the state of a streamed chat reply; template knows frames that are alike
    reply      what a whole chat reply says; usage and text are counted alike in both
    responses  the same for OpenAI's Responses (a package)
    anthropic  Anthropic's Messages as chat calls, and the way back (a package)
    envelope   errors as OpenAI spells them
    headers    which fields cross the gateway
    encoding   compressed replies
    sse, reader, members    frames of a stream, JSON as it is read, and where its members lie
"""
