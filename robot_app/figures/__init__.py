"""Figures and tables of finished sweeps, as the sweep's own file asks for them.

=============  =================================================================================
``spec``       the ``figures`` and ``reference`` parts of a sweep's file, checked
``results``    a results folder: the table, the curves, where they came from
``style``      colours, sizes, and saving with provenance inside the file
``plots``      learning curves, bars, lines, adaptation, calibration
``tables``     Markdown and LaTeX
``page``       redraws a folder, and the page that shows it all
=============  =================================================================================
"""
