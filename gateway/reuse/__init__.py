"""May a kept reply serve this call? What makes two calls the same, and which calls may share.

Pure: values in, values out. Keeping replies is `gateway.store`'s work.
"""
