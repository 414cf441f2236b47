"""How large a pixel is on the wall: from a table, the camera, a marker in the photo, or one number."""
