"""What would stop a deployment halfway, asked before anything is created.

Where to look:

- the frame: `catalogue` has every check in order, `run` runs them, `shown` and `page` write them; `checks`, `findings`
  and `surroundings` are what each check is made of, `real` the surroundings of a real run;
- checks by whom they ask: `azure/`, `directory` (Entra), `internet/`, `tools` and `machine` (this machine's programs);
- `rights` has what the stacks need of whoever deploys them, in Azure and in the directory.
"""
