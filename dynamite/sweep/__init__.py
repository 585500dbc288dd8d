"""Sweeps: a YAML file → jobs → rows on disk → one table.

=================  =================================================================================
``job``            one job: what is trained or loaded, how it is evaluated, and its id
``plan``           a sweep's YAML as a list of jobs with labels
``result``         what a job comes to: a row and a curve
``run``            does one job, resumably
``executor``       where jobs run, behind a small protocol: local processes
``ray_executor``   or the machines of a Ray cluster
``source_digest``  which must have the same code
``loaded``         policies that exist already
``store``          rows and curves on disk
``driver``         does what is missing of a plan, through an executor, into a store
``table``          the rows of a plan as CSV and Parquet
=================  =================================================================================

A row depends on its job alone, so it is found again by the job's id whatever the sweep around it is called.
"""
