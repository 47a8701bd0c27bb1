"""How fast msgd is: a load generator, workloads, and a table; alone or beside its peers."""
