"""What each dataset promises: a contract and a suite, at the same path as its asset."""
