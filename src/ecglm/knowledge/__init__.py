"""What ecglm knows about ECG statements: codes, names, normal ranges, each with its source."""
