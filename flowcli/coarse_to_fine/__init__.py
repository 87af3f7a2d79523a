"""Motion larger than a window: estimates at a small scale, then shifts the windows of finer ones to follow.

A window sees only itself: what moves out of it cannot be found. At each finer level, the second frame's window is
therefore cut where the coarser flow says that its content went, by whole pixels, so that the model sees real pixels;
the offset is added to its flow.

:mod:`.levels` chooses the scales, :mod:`.window_offsets` where windows are cut by the :mod:`.evidence` of the coarser
flow, :mod:`.photometric` judges the flows, and :mod:`.pair` puts them together.
"""
