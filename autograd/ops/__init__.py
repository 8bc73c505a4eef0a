"""The operations and their derivatives; no derivative is defined anywhere else."""
