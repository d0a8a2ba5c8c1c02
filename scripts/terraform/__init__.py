"""Terraform on the stacks of one environment: planned, applied, explained.

Where to look:

- before Terraform: `prepare`, with `program`, `synthesis` and `init_stamp`;
- one stack: `stack`, and `scratch` for a copy of it; all stacks: `rollout`, with `saved_plans`, `read_only`, `judged`;
- what people see of a run: `summary`, `activity`, `waits` and `job_waits`, `errors/`;
- what stays: `state/`, `outputs` and `deployed/`; what came from elsewhere: `existing` and `adopting/`.
"""
