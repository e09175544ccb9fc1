"""The statistics behind a verdict: pure functions over arrays, the same answer every time.

docs/statistics.md says which method is used when, and how its promises were checked.
"""
