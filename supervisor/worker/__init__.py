"""What runs inside a replica: permit, claim, run, finish."""
