"""A local page to try the model on photos of one's own: ``csbsr serve``.

The server is the standard library's, because the page needs a dozen routes and no more: a photo is the body
of a request, so there is no form to parse, and all that a request may name is a number or a word of a fixed
list. What protects it is in one place each: the secret in the address (:mod:`.app`), what may be uploaded
(:mod:`.limits`), and names on disk that are constants (:mod:`.served_photo`).
"""
