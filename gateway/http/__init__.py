"""The edge: bytes to calls, answers and errors to bytes. FastAPI and uvicorn live only here."""
