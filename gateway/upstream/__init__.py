"""The far side: sends one attempt to a deployment and hands its reply over as it comes.

`client` is our own pooled HTTP/1.1 client, for the path measured in microseconds; `httpx_adapter`
keeps the same contract through proxies and over HTTP/2. Neither retries on another deployment,
follows a redirect, decodes a body or keeps a cookie: what to try next is the flow's business.
"""
