"""What a report says, as blocks, and the formats that it is written in."""
