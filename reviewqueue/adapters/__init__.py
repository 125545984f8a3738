"""Agent frameworks whose tool calls people review, and foreign formats that items and rules come from and go to.

The frameworks' modules each need the extra that carries their name; they stand on `reviewqueue.client` alone and know
nothing of the server. The formats, `a2i` and `label_studio`, are read and written by the server's own commands.
"""
