"""Agent frameworks whose tool calls people review: each module needs the extra that carries its name.

They stand on `reviewqueue.client` alone and know nothing of the server.
"""
