"""Every message between our processes, by the two ends that speak.

    replica_supervisor    a socketpair given at fork: life, permits, metrics
    replica_database      run_dir/database.sock: claim, finish, rows
    supervisor_database   a socketpair given at exec: settings, exits, questions
    supervisor_zygote     a SOCK_SEQPACKET pair given at exec: fork, reaped (descriptors travel beside)

Fields are positional on the wire, so new ones go last, with a default. `call` numbers a request
and its reply on one connection. Deadlines are CLOCK_MONOTONIC seconds, one clock for the host.

Numbers that steer the supervisor have their ranges in their types, so a frame with others is no message and ends its
connection: what a replica says is checked like any input. Only what our own code computes has a range here; what a
job's code may choose is checked where the job can be told.
"""
