"""What the API is, for programs: printed from the operations, nothing described twice."""
