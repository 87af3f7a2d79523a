"""Flow data: file formats, metrics, warping, occlusion, data sets."""
