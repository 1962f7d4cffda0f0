"""The verb ``doctor``: what is wrong on this computer, and the fix.

`finding` has what a check returns, `running` runs checks and child processes. Each other module holds a family of
checks, which take their view of the system as arguments; `report` has the forms of the result.
"""
