"""Sweeps: a YAML file → jobs → rows on disk → one table.

=================  =================================================================================
``job``            one job: what is trained or loaded, how it is evaluated, and its id
``plan``           a sweep's YAML as a list of jobs with labels
``result``         what a job comes to: a row and a curve
``run``            does one job, resumably
``executor``       where jobs run: local processes, behind a small protocol
``store``          rows and curves on disk
``driver``         does what is missing of a plan, through an executor, into a store
``table``          the rows of a plan as CSV and Parquet
=================  =================================================================================

A row depends on its job alone, so it is found again by the job's id whatever the sweep around it is called.
"""
