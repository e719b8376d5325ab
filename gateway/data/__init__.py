"""Files the package carries: the o200k_base ranks and the difficulty model (see NOTICE)."""
