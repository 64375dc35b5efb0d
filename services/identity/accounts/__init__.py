"""Where identity's rules meet the engines: passwords, user names, failed attempts, signing in, members."""
