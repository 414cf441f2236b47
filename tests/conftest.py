"""What the whole suite shares."""

# pytest would import the helpers a second time in search of doctests, and so register components twice.
collect_ignore = ['helpers']
