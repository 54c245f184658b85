"""Does the model describe the data? Each check is a table and a sentence, with a verdict."""
