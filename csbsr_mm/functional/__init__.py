"""The mathematics of CSBSR on arrays and tensors; imports nothing of MMSegmentation.

Each module is one concept and can be used on its own:

    from csbsr_mm.functional import surface
    surface.robust_hausdorff(pred, target, percentile=95)
"""
