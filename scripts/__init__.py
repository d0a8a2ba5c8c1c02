"""The operator's command line, the rehearsal and the benchmarks."""
