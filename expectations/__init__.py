"""What must hold of each dataset: a contract and a suite, at the same relative path as its asset."""
