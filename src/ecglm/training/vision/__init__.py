"""A vision encoder that looks at pages, taught on drawn ones; the weights of reading back and looking; a vision-language model.

`pages` draws, `fit` trains the encoder, `weigh` fits what each way is worth, `language` teaches a connector and an adapter,
`pipeline` does all of it from a recipe of kind vision (recipes/pulse.yaml).
"""
