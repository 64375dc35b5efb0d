"""Every figure that is claimed, measured in one run beside what it is compared with: `make bench`."""
