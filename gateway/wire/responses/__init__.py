"""OpenAI's Responses API, looked at and never changed.

reply     what a whole response says: usage, model, id, status
stream    the state of a streamed response: typed events, passed as they came
view      a request as the chat call that would say the same, for whoever assesses it
pins      what ties a request to the account and tier that earlier answers came from
usage     token counts, alike in both kinds of reply
errors    errors inside a stream
"""
