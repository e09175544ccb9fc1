"""Tells malignant tumours from benign ones in ten steps, on scikit-learn's own data."""
