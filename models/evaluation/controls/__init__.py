"""Controls: what a result may rest on beside what it is about, and what an evaluation finds where nothing is.

* `order`: the label from the place of the trial, or from the trial before, without any signal;
* `clips`: whether the stimulus itself is recognised among those of the same label;
* `changed`: labels permuted, first against last trials, the signal without gamma, electrodes over muscles and eyes;
* `sustained`: a state held for ten minutes must not fade as the normaliser adapts;
* `every_method`: all of these changes with every method (``--controls``);
* `rows`: one row of each control in the table of a labelled data set.
"""
