"""Anthropic's Messages API, spoken over Chat Completions.

Unlike the rest of the wire this is a translation: bodies are read and built anew, because the two
APIs share no bytes. What can be said in both is said; what cannot is refused with 400 and its name,
and never dropped quietly, unless dropping it changes nothing a caller could see.

    request      a Messages request as a chat body, and what the way back must know of it
    messages     turns and their blocks; tools, options, schemas: the rest of a request
    reply        a chat reply as a message
    stream       a chat stream as Messages events
    ending       stop reasons and usage, alike in both
    failures     errors as Anthropic spells them
    parsing      readers that refuse by name

Nothing here does I/O or knows a model behind a tier.
"""
