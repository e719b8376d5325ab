"""An OpenAI-compatible upstream that invents its answers, and says so in every one of them.

For demonstrations, client development and tests without a key: the wire format, the errors, the
counts and the pace are those of the real thing; the intelligence is not. It refuses to pass for a
model: every reply carries `x-tiergate-simulated: 1`, `fp_simulated` and, where text is free, a
`[simulated]` mark.

    app, script           the ASGI shell plays scripts: a head, bytes with waits, an ending
    upstream              what a call gets, and the little state behind it
    asking ← checks, toolbox, refusals      a body → an Ask, or a Refusal in OpenAI's words
    answers               an Ask → choices: text, tool calls, JSON
    reading → prose ← phrases               what texts say
    hints → instances ← schemas, figures, patterns      what forms are filled with
    pieces, pace, prefixes, limits          tokens, time, cached prefixes, rates
    replies               choices → a reply or a stream
    responses ← responses_asking, responses_memory      the same on `/responses`, and what is stored
    elsewhere → made ← media; legacy; kept, batches → shelf; forms      all other endpoints
    faults, rules         things going wrong on demand
    traffic ← scenes, material              realistic calls to send
"""
