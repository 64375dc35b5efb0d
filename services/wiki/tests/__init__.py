"""What the wiki promises: its rules, its views, what it shows and what it takes in."""
