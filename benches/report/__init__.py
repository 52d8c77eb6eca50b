"""`make bench`: every contender on the same endpoint, by turns, and docs/performance.md made from what they print.

| file | |
|---|---|
| `__main__.py` | the command line |
| `build.py` | library, server, and the contenders that have to be compiled |
| `contender.py` | who takes part, how each is started, and why one is left out |
| `job.py` | what a contender is asked for and what it answers |
| `plan.py` | which contender runs how many tasks at which latency |
| `server.py` | the one endpoint: queues of their own for each run, counts of calls |
| `run.py` | one run; all runs by turns |
| `figures.py` | medians, spreads, ratios |
| `prices.py` | dollars |
| `machine.py` | machine and versions |
| `charts.py` | charts, by matplotlib |
| `flame.py`, `parts.py` | a flame graph of one run, and what its parts are |
| `markdown.py`, `page.py` | tables; the generated part of docs/performance.md |
| `scale.py` | `make bench-scale` |
"""
